"""Raw log formats, one module per provider, each as the provider writes it."""
