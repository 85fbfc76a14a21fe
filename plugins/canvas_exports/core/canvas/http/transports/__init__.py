"""Send requests over urllib3 and aiohttp, bounded in bytes and in time."""
