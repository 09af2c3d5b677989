"""Commands that look after a deployed stack: check it, register partners, erase decisions."""
