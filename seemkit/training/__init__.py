"""Training: pictures with masks, simulated users, the objective of SEEM and the loop that resumes."""
