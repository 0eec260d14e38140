"""Object storage that speaks S3, as a site's root: the bucket and what it answers; the very bytes of a directory."""
