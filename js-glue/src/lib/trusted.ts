interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Named in the README: a page that requires Trusted Types must allow this policy. */
const POLICY = "vitrace";

export type UseScript = <T>(url: string, use: (url: string) => T) => T;

/** Gives a script's URL to the browser; again through a policy of ours, made once, when the page demands one. */
export function useScript(): UseScript {
  let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;
  return (url, use) => {
    try {
      return use(url);
    } catch (error) {
      const { trustedTypes } = window as unknown as { trustedTypes?: TrustedTypes };
      if (!(error instanceof TypeError) || !trustedTypes) throw error;
      policy ??= trustedTypes.createPolicy(POLICY, { createScriptURL: (text) => text });
      return use(policy.createScriptURL(url));
    }
  };
}
