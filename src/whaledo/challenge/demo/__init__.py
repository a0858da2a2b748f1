"""The synthetic beluga challenge: whales, photographs and scenarios drawn from one seed."""
