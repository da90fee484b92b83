"""What somebody who means harm does, and what she finds."""
