import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchesPattern, mayLogIn, parseSshdConfig } from "../../../../agent/identity/host/sshd-config.ts";

const main = "/etc/ssh/sshd_config";
const parse = (text: string, more: Record<string, string> = {}) =>
  parseSshdConfig(new Map([[main, text], ...Object.entries(more)]));

test("CentOS 7's own file: port 22, passwords, root too, as its commented default says", () => {
  expect(parse("#Port 22\n#PermitRootLogin yes\nPasswordAuthentication yes\n")).toMatchObject({
    ports: [22],
    passwordLogin: true,
    rootLogin: "yes",
  });
  expect(parse("")).toMatchObject({ ports: [22], passwordLogin: true, rootLogin: "keys" });
});

test("the first value of a keyword counts, ports add up, and what is below a Match is for others", () => {
  const text = [
    "Port 2222",
    'port="22"',
    "ListenAddress [2001:db8::1]:2022",
    "ListenAddress 192.0.2.1",
    "PermitRootLogin no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "Match Address 10.0.0.0/8",
    "  PasswordAuthentication yes",
    "  Port 99",
  ].join("\n");
  expect(parse(text)).toMatchObject({ ports: [2222, 22, 2022], passwordLogin: false, rootLogin: "no" });
});

test("included files stand in the place of their line", () => {
  const text = "Include sshd_config.d/*.conf\nPasswordAuthentication yes\nPermitRootLogin yes\n";
  const more = {
    "/etc/ssh/sshd_config.d/20-b.conf": "PermitRootLogin forced-commands-only\n",
    "/etc/ssh/sshd_config.d/10-a.conf": "PasswordAuthentication no\nMatch all\nPermitRootLogin no\n",
    "/etc/ssh/other": "Port 5\n",
  };
  expect(parse(text, more)).toMatchObject({ ports: [22], passwordLogin: false, rootLogin: "no" });
});

test.each([
  ["AllowUsers alice bob@192.0.2.*", "alice", true],
  ["AllowUsers alice bob@192.0.2.*", "bob", true],
  ["AllowUsers alice", "carol", false],
  ["DenyUsers c?rol@host", "carol", false],
  ["AllowGroups wheel", "alice", true],
  ["AllowGroups ssh-*", "alice", false],
  ["DenyGroups wh*l\nAllowUsers alice", "alice", false],
])("%j lets %s in: %s", (text, user, expected) => {
  expect(mayLogIn(parse(text), user, ["wheel", "people"])).toBe(expected);
});

test("passwords alone must be enough where AuthenticationMethods asks for more", () => {
  expect(parse("AuthenticationMethods publickey,password").passwordLogin).toBe(false);
  expect(parse("AuthenticationMethods publickey,password password").passwordLogin).toBe(true);
});

test("any text gives settings that hold, quickly", () => {
  const word = fc.constantFrom(
    "Port",
    "Include",
    "Match",
    "AllowUsers",
    "ListenAddress",
    "PermitRootLogin",
    "*",
    "0",
  );
  const line = fc.tuple(word, fc.string()).map((parts) => parts.join(" "));
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 50 }), (lines) => {
      const settings = parse(lines.join("\n"), { "/etc/ssh/x": lines.join("\n") });
      expect(settings.ports.length).toBeGreaterThan(0);
      expect(settings.ports.every((port) => port > 0 && port < 65_536)).toBe(true);
      mayLogIn(settings, "alice", ["wheel"]);
    }),
  );
  expect(matchesPattern("*a".repeat(5000), "a".repeat(4000))).toBe(false);
});
