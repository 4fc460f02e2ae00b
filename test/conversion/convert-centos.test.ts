import { expect, test } from "vitest";
import { betweenSystems, convertGateway, expectConverted, identityOf } from "./convert-gateway.ts";

test("centos: XFS on LVM, ifcfg, by kexec", async () => {
  const { report, log } = await convertGateway("centos", { bootMethod: "kexec" });
  expectConverted(report);
  expect(report.identity.filter(({ equal }) => !equal)).toEqual([]);
  expect(identityOf(report)).toMatchObject({
    hostname: "gw-centos.example.net",
    "IPv4 of 52:54:00:77:00:01": "10.0.2.77/24",
    "DNS servers": "10.0.2.3 10.0.2.53",
    "search domains": "example.net plant.example.net",
    "IPv4 routes": "10.20.0.0/16 via 10.0.2.4; default via 10.0.2.2",
    "time zone": "Europe/Moscow",
    "administrator operator": "yes",
  });
  expect(report.identity.map(({ item }) => item)).toContain("file /etc/site/site.key");
  expect(betweenSystems(log)).not.toContain("GNU GRUB");
});
