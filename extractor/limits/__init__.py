"""Bounds on calls: concurrency, rate, circuit breaker, budget, prices, estimates."""
