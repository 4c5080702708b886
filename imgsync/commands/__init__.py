"""What people run: options, prose and JSON, exit codes. Nothing imports a command."""
