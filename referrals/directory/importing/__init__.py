"""Files of services, ours and foreign, read into rows; nothing is stored that was not understood."""
