"""A fleet package made from what runs already: Komodo's TOML, Core's database, compose projects on a host."""
