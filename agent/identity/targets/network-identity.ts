import type { Identity } from "../../../format/identity.ts";

/** The part of an identity that network configuration is made of. */
export type NetworkIdentity = Pick<Identity, "interfaces" | "dns" | "resolver">;
