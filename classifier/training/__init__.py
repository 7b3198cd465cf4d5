"""How a release is made: material, augmentation, experts, pooling, evaluation, model card. Never imported to serve."""
