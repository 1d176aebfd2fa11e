"""Data sets in the formats of the field, as plugins: COCO instances, panoptic segments and phrases, and DUTS."""
