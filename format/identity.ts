import * as z from "zod";

/** `192.0.2.10/24`, `2001:db8::5/64`. */
const cidr = z.string().regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/);
const address = z.string().regex(/^[0-9a-fA-F.:]+(%[A-Za-z0-9._-]+)?$/);
const macAddress = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
const interfaceName = z.string().regex(/^[^\s/]{1,15}$/);
/** Text that ends up on one line of a configuration file: no control characters can smuggle in a second line. */
const oneLine = z
  .string()
  .max(4096)
  .regex(/^[^\u0000-\u001f\u007f]*$/);
const accountName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/);
const accountId = z.int().min(0).max(4294967294);

export const routeSchema = z.strictObject({
  /** `default` is written as `0.0.0.0/0` or `::/0`. */
  destination: cidr,
  gateway: address.optional(),
  metric: z.int().min(0).optional(),
});

export const interfaceSchema = z.strictObject({
  /** The name on the old system. The new one is matched by MAC address. */
  name: interfaceName,
  /** The card's own address. */
  macAddress: macAddress.optional(),
  /** Set instead of the card's own (`MACADDR=`, `hwaddress ether`, `cloned-mac-address`). */
  assignedMacAddress: macAddress.optional(),
  ipv4: z.enum(["none", "dhcp", "static"]),
  ipv6: z.enum(["none", "auto", "dhcp", "static"]),
  addresses: z.array(cidr),
  routes: z.array(routeSchema),
  dnsServers: z.array(address),
  searchDomains: z.array(oneLine),
  mtu: z.int().min(68).max(65535).optional(),
});

export const userSchema = z.strictObject({
  name: accountName,
  uid: accountId,
  gid: accountId,
  comment: oneLine,
  home: oneLine,
  shell: oneLine,
  /** The eight fields of shadow(5) after the name, as they are: hash, last change, min, max, warn, inactive, expire, reserved. */
  shadow: z.array(oneLine).length(8).optional(),
});

export const groupSchema = z.strictObject({
  name: accountName,
  gid: accountId,
  members: z.array(accountName),
});

/** What makes the box that box. Captured by stage 1, written into the target by stage 2, compared by smoke. */
export const identitySchema = z.strictObject({
  format: z.literal(1),
  hostname: oneLine.max(253).optional(),
  /** Lines of /etc/hosts that are not the stock localhost lines. */
  hosts: z.array(oneLine),
  machineId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  /** `Europe/Moscow`. */
  timeZone: z
    .string()
    .regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/)
    .optional(),
  interfaces: z.array(interfaceSchema),
  /** System-wide resolver settings; those of one interface stand there. */
  dns: z.strictObject({ servers: z.array(address), searchDomains: z.array(oneLine) }),
  /**
   * What names were resolved by, in order, whoever had said so: settings above, and servers of a lease. Only for a target
   * whose /etc/resolv.conf nobody writes; one that follows the lease gets the settings alone.
   */
  resolver: z.strictObject({ servers: z.array(address).min(1), searchDomains: z.array(oneLine) }).optional(),
  /** DNS servers that answered when this was captured on the running system. */
  answeringDnsServers: z.array(address).optional(),
  /** IPv4 default gateways that interfaces with DHCP had at that moment. */
  leasedGateways: z.array(address).optional(),
  users: z.array(userSchema),
  groups: z.array(groupSchema),
  /** Old member of an administrators' group (`wheel`, `sudo`): joins the target's. */
  administrators: z.array(accountName),
  /** Where the network settings were read from; `kernel` when no configuration was found. */
  networkSource: z.enum(["ifcfg", "ifupdown", "networkd", "networkmanager", "kernel"]),
  /** Names of accounts that are not carried, so that preserved files they own can be handed to their namesakes. */
  systemUsers: z.array(z.strictObject({ name: accountName, id: accountId })).optional(),
  systemGroups: z.array(z.strictObject({ name: accountName, id: accountId })).optional(),
  /** `SHA256:…` as ssh-keygen -l prints it, of each host key with a public half. */
  sshHostKeys: z.array(z.strictObject({ file: oneLine, fingerprint: oneLine })).optional(),
  /** SHA-256 over the sorted keys of each account's authorized_keys. */
  authorizedKeys: z
    .array(z.strictObject({ user: accountName, keys: z.int().min(0), sha256: oneLine }))
    .optional(),
  /** How the ssh server lets people in, for the rescue system; the new system's own is the release's. */
  sshServer: z
    .strictObject({
      ports: z.array(z.int().min(1).max(65535)).min(1).max(10),
      passwordLogin: z.boolean(),
      /** `keys`: root by key only. */
      rootLogin: z.enum(["yes", "keys", "no"]),
      /** Carried accounts that its allow and deny lists keep out. */
      refusedUsers: z.array(accountName),
    })
    .optional(),
  /** Plain rules of the old /etc/sudoers for carried users and groups, e.g. `%wheel ALL=(ALL) NOPASSWD: ALL`. */
  sudoRules: z.array(oneLine).optional(),
});

export type Identity = z.infer<typeof identitySchema>;
export type NetworkInterface = z.infer<typeof interfaceSchema>;
export type Route = z.infer<typeof routeSchema>;
export type User = z.infer<typeof userSchema>;
export type Group = z.infer<typeof groupSchema>;
