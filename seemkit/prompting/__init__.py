"""What a prompt is: frozen values that say what the user gives, and the rows they become."""
