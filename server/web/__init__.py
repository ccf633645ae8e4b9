"""HTTP toolkit that knows no data: application, base handler, pages, assets, OpenAPI."""
