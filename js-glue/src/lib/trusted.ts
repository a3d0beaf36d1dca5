interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Named in the README: a page that requires Trusted Types must allow this policy. */
const POLICY = "vitrace";

export type UseScript = <T>(url: string, use: (url: string) => T) => T;

/**
 * Gives a script's URL to the browser, through a policy of ours where there are policies: trying without one first would
 * be reported as a violation. A page that does not allow it gets the bare URL, which it may allow.
 */
export function useScript(): UseScript {
  let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;
  return (url, use) => {
    try {
      policy ??= (window as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy(POLICY, { createScriptURL: (text) => text });
    } catch {
      // The page's list of policies has not ours.
    }
    return use(policy ? policy.createScriptURL(url) : url);
  };
}
