/**
 * Addresses that belong to a machine, its network or its provider, and not to the Internet. The router does not capture
 * them, and by default the remote gateway does not dial them. The list follows the special-purpose registries of RFC 6890,
 * with the addresses that clouds use for metadata. Documentation and benchmark ranges are left out: nobody is there,
 * and labs use them.
 */
export const SPECIAL_RANGES: readonly (readonly [what: string, ...ranges: string[]])[] = [
  // RFC 1122, section 3.2.1.3; Linux connects 0.0.0.0 and :: to itself.
  ["unspecified", "0.0.0.0/8", "::/128"],
  ["loopback", "127.0.0.0/8", "::1/128"],
  // RFC 3927, RFC 4291. 169.254.169.254 is the metadata service of nearly every cloud.
  ["link-local", "169.254.0.0/16", "fe80::/10"],
  // RFC 1918; RFC 4193 (with fd00:ec2::254 and fd20:ce::254, metadata services), RFC 3879.
  ["private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"],
  // RFC 6598: between a provider and its customers. 100.100.100.200 is a metadata service.
  ["shared", "100.64.0.0/10"],
  // RFC 6890 (192.0.0.192 is a metadata service), RFC 8215: a network's own translators.
  ["protocol assignments", "192.0.0.0/24", "64:ff9b:1::/48"],
  // A public address that Azure's hosts answer to their guests.
  ["metadata", "168.63.129.16/32"],
  ["multicast", "224.0.0.0/4", "ff00::/8"],
  ["reserved and broadcast", "240.0.0.0/4"],
  // RFC 4291, section 2.5.5.1; RFC 2765; RFC 4380: IPv4 addresses inside IPv6 ones, long out of use.
  ["IPv4-compatible", "::/96"],
  ["IPv4-translated", "::ffff:0:0:0/96"],
  ["Teredo", "2001::/32"],
];
