"""What every part shares: the model, the ports, errors, time, tasks and logging. Imports nothing of ours."""
