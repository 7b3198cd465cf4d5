"""Running the bot for others: the image's steps, dashboards, alerts, backups."""
