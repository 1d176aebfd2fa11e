"""What can be measured: each file holds one measure, its options, its protocol and its figures."""
