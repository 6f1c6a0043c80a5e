"""Bad inputs of four kinds, always the same: files to import, requests to the API, forms, and frames of sockets."""
