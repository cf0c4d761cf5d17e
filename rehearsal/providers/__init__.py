"""Resource providers: one module per namespace of Azure Resource Manager."""
