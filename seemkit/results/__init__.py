"""What a result turns into: polygons, COCO annotations, drawings, files."""
