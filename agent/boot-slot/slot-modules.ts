/**
 * What a booted slot may want of the ramdisk's kernel and cannot load itself, for it has no modules for it: its firewall, and the
 * devices that its network is put together from. Names as modprobe takes them; what a kernel does not have is left out.
 */
export const firewallModules: readonly string[] = [
  ..."nf_tables nft_chain_nat nft_compat nft_connlimit nft_ct nft_fib_inet nft_hash nft_limit nft_log".split(
    " ",
  ),
  ..."nft_masq nft_nat nft_numgen nft_objref nft_quota nft_redir nft_reject_inet nfnetlink_log".split(" "),
  ..."nf_conntrack_netlink nf_conntrack_ftp nf_conntrack_tftp nf_nat_ftp nf_log_syslog".split(" "),
  ..."ip_tables iptable_filter iptable_mangle iptable_nat iptable_raw ipt_REJECT ipt_rpfilter".split(" "),
  ..."ip6_tables ip6table_filter ip6table_mangle ip6table_nat ip6table_raw ip6t_REJECT ip6t_rpfilter".split(
    " ",
  ),
  ..."xt_addrtype xt_CHECKSUM xt_comment xt_connlimit xt_connmark xt_conntrack xt_CT xt_hashlimit".split(" "),
  ..."xt_iprange xt_limit xt_LOG xt_mac xt_mark xt_MASQUERADE xt_multiport xt_nat xt_NFLOG xt_owner".split(
    " ",
  ),
  ..."xt_pkttype xt_recent xt_REDIRECT xt_set xt_state xt_tcpmss xt_TCPMSS xt_tcpudp".split(" "),
  ..."ip_set_bitmap_port ip_set_hash_ip ip_set_hash_ipport ip_set_hash_mac ip_set_hash_net ip_set_list_set".split(
    " ",
  ),
];

export const networkModules: readonly string[] = ["8021q", "bonding", "bridge", "tun"];
