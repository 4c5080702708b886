"""Which IP addresses are those of one host: no others are worth a packet of ICE.

Whoever may name an address to be checked, the other side of a session, a STUN or TURN server, or
whoever answers for an mDNS name, could have a group of machines checked, or a whole network. And
0.0.0.0 and ::, which Linux takes for this machine, are nobody's address on the way there.
"""

import ipaddress

_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_EVERYBODY = ipaddress.ip_address("255.255.255.255")


def is_of_one_host(text: str) -> bool:
    """Whether an address may be that of one host; raises ValueError for what is none.

    Not so 0.0.0.0/8 and ::, multicast (224.0.0.0/4, ff00::/8) and the broadcast 255.255.255.255;
    an address of IPv4 that is written as one of IPv6 (::ffff:224.0.0.1) counts as what it is.
    """
    address = ipaddress.ip_address(text)
    address = getattr(address, "ipv4_mapped", None) or address
    if address.version == 4 and address in _THIS_NETWORK:
        return False
    return not (address.is_unspecified or address.is_multicast or address == _EVERYBODY)
