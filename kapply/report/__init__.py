"""Plans and events as text, JSON and other formats for people and programs."""
