"""A Docker homelab as one typed graph: previewed, deployed and queried with Pulumi, run by Komodo."""
