#!/bin/sh
# Stands in for systemd-networkd: brings up the addresses and gateways of the .network files that stage 2 wrote.
ip link set lo up
for device in /sys/class/net/e*; do
	device=${device##*/}
	ip link set "$device" up
	sed -n 's/^Address=//p' /etc/systemd/network/*.network | while read -r address; do
		ip address add "$address" dev "$device"
	done
	sed -n 's/^Gateway=//p' /etc/systemd/network/*.network | while read -r gateway; do
		ip route add default via "$gateway"
	done
done
