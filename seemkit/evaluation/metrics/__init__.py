"""Metrics of the field as plain functions of masks and counts; which protocol feeds them is not their business."""
