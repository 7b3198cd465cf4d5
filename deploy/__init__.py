"""What running the bot as a service needs: checks of the Docker image, dashboards, alerts, backups."""
