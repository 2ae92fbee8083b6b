"""A local Telegram: the Bot API over HTTP, people with phones, and a clock that can be turned. docs/simulator.md."""
