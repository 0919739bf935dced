// How can one page show light and dark beside each other? The tokens follow the system; here their two sets become two classes.

/** Makes the classes `theme-light` and `theme-dark` of the tokens as the style sheets have them. */
export function showBothThemes(): void {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const light = rules.filter(isTokens).map((rule) => rule.style.cssText);
  const dark = rules
    .filter((rule): rule is CSSMediaRule => rule instanceof CSSMediaRule && rule.conditionText.includes('dark'))
    .flatMap((media) => [...media.cssRules].filter(isTokens).map((rule) => rule.style.cssText));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    `.theme-light { ${light.join('')} color-scheme: light; } .theme-dark { ${light.join('')} ${dark.join('')} color-scheme: dark; }`,
  );
  document.adoptedStyleSheets.push(sheet);
}

function isTokens(rule: CSSRule): rule is CSSStyleRule {
  return rule instanceof CSSStyleRule && rule.selectorText === ':root';
}
