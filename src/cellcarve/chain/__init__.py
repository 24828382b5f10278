"""What any sampler needs: random numbers by address and draws made of them; knows nothing about cells."""
