import { expect, test } from "vitest";
import { betweenSystems, convertGateway, expectConverted, identityOf } from "./convert-gateway.ts";

test("ext4: logical swap partition, ifupdown, by a one-shot GRUB entry, package from a web server", async () => {
  const { report, log } = await convertGateway("ext4", { bootMethod: "grub", fromUrl: true });
  expectConverted(report);
  // The new system has a service with maria's uid.
  expect(report.identity.filter(({ equal }) => !equal)).toEqual([
    {
      item: "uid of maria",
      old: "1001",
      new: expect.any(String),
      equal: false,
      accepted: expect.stringContaining("maria"),
    },
  ]);
  expect(identityOf(report)).toMatchObject({
    "IPv4 of 52:54:00:78:00:01": "10.0.2.78/24",
    "IPv4 routes": "10.30.0.0/16 via 10.0.2.5; default via 10.0.2.2",
    "administrator maria": "yes",
    "owner of /home/maria": "maria 755",
  });
  expect(betweenSystems(log)).toContain("GNU GRUB");
});
