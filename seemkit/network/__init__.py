"""The network: encoder features to rows that read the image and each other, to masks and class embeddings."""
