"""What exists in Komodo under declared names: how it differs, and Komodo's values written into the fleet's source."""
