import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fillMenu, serialConsole } from "../../../agent/boot/fill-menu.ts";

const template = readFileSync("grub/grub.cfg.template", "utf8");
const A = { name: "A", device: "/dev/mapper/VA-root_a" } as const;
const B = { name: "B", device: "/dev/mapper/VA-root_b" } as const;

describe("menu", () => {
  test.each([
    ["two slots, serial", { slots: [A, B], consoles: ["console=tty0", "console=ttyS0,115200n8"] }],
    ["single root, no console", { slots: [{ ...A, device: "/dev/mapper/VA-root" }], consoles: [] }],
  ])("for %s is a script GRUB understands, with no placeholder left", (_, values) => {
    const menu = fillMenu(template, values);
    expect(menu).not.toMatch(/@[A-Z_]+@/);
    execFileSync("grub-script-check", { input: menu });
  });

  test("names volumes, order and consoles", () => {
    const menu = fillMenu(template, { slots: [A, B], consoles: ["console=tty0", "console=ttyS1,57600"] });
    expect(menu).toContain('set slot_a="VA-root_a"\nset slot_b="VA-root_b"\n');
    expect(menu).toContain('set ORDER="A B"');
    expect(menu).toContain("dualroot.mode=rescue panic=30 console=tty0 console=ttyS1,57600;");
    expect(menu).toContain('set serial_unit="1"');
    expect(menu).toContain("--speed=57600");
  });

  test("a single root has no slot B", () => {
    const menu = fillMenu(template, { slots: [A], consoles: [] });
    expect(menu).toContain('set slot_b=""');
    expect(menu).toContain('set ORDER="A"');
    expect(menu).toContain('set serial_unit=""');
  });

  test.each(["console=ttyS0;reboot", "console=$prefix", "console='x", 'console="x'])("refuses %s", (word) => {
    expect(() => fillMenu(template, { slots: [A], consoles: [word] })).toThrow("cannot stand in GRUB's menu");
  });

  test("refuses a placeholder nobody fills", () => {
    expect(() => fillMenu("set x=@OTHER@", { slots: [A], consoles: [] })).toThrow(
      "unknown placeholder @OTHER@",
    );
  });
});

test.each([
  [["console=tty0"], undefined],
  [["console=ttyS0"], { unit: "0", speed: "9600" }],
  [["console=ttyS0,115200n8", "console=tty0"], { unit: "0", speed: "115200" }],
  [["console=ttyS0,9600", "console=ttyS1,115200"], { unit: "1", speed: "115200" }],
  [["console=ttyS7,115200"], undefined],
])("serial console of %j", (consoles, expected) => {
  expect(serialConsole(consoles)).toEqual(expected);
});
