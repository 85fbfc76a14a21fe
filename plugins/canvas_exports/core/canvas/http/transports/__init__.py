"""Requests sent with requests and with aiohttp, bounded in bytes and time."""
