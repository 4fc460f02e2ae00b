import { expect, test } from "vitest";
import { convertGateway, expectConverted, identityOf } from "./convert-gateway.ts";

test("gpt: BIOS boot partition, systemd-networkd, DHCP and static IPv6, the way chosen by itself", async () => {
  const { report } = await convertGateway("gpt", {});
  expectConverted(report);
  expect(report.identity.filter(({ equal }) => !equal)).toEqual([]);
  expect(identityOf(report)).toMatchObject({
    "IPv4 of 52:54:00:79:00:01": "10.0.2.15/24",
    "IPv6 of 52:54:00:79:00:01": "fec0::79/64",
    "time zone": "Asia/Kolkata",
  });
});
