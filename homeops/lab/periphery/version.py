"""The version that this Periphery says it is; a release has its own."""

VERSION = "2.3.2"
