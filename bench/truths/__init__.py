"""The parts of `bench/truth.py`: what is simulated, what a naive poller makes of it, and how far both are off the truth."""
