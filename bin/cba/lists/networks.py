"""Which of many networks, in their order, is the first that holds an address."""

from __future__ import annotations

import ipaddress
from socket import AF_INET, AF_INET6, inet_pton
from typing import Optional


class Networks:
    """Networks with their positions. Asking costs a few dictionary look-ups, one per length of prefix there is."""

    def __init__(self) -> None:
        self._by_length: dict[tuple[int, int], dict[int, int]] = {}
        """(bytes of an address, bits that are not the network's) -> network -> its first position"""

    def add(self, text: str, position: int) -> None:
        """Adds a network such as 198.51.100.0/24, or one address. Raises ValueError naming what is none."""
        network = ipaddress.ip_network(text.strip(), strict=False)
        bits = network.max_prefixlen - network.prefixlen
        held = self._by_length.setdefault((network.max_prefixlen // 8, bits), {})
        key = int(network.network_address) >> bits
        held[key] = min(position, held.get(key, position))

    def first(self, address: str) -> Optional[int]:
        """The smallest position of a network that holds the address; None for none, and for what is no address."""
        if not self._by_length:
            return None
        try:
            packed = inet_pton(AF_INET6 if ":" in address else AF_INET, address)
        except (OSError, ValueError):  # ValueError: NUL or a lone surrogate inside the text
            return None
        number = int.from_bytes(packed, "big")
        found: Optional[int] = None
        for (size, bits), held in self._by_length.items():
            if size == len(packed):
                position = held.get(number >> bits)
                if position is not None and (found is None or position < found):
                    found = position
        return found
