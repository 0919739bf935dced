// What is in the programs, for tools that look for known flaws: the list of CycloneDX, made from the same works as the licence notices.

/** The bill of materials as JSON. */
export function billOfMaterials(found, version) {
  const components = found.map((work) => ({
    type: 'library',
    'bom-ref': work.purl,
    name: work.name,
    version: work.version,
    purl: work.purl,
    licenses: [{ expression: work.license.replaceAll(/\s*\/\s*/g, ' OR ') }],
  }));
  const self = {
    type: 'application',
    'bom-ref': 'outrigger',
    name: 'outrigger',
    version,
    licenses: [{ expression: 'MIT OR Apache-2.0' }],
  };
  const bill = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata: { component: self }, components };
  return `${JSON.stringify(bill, null, 2)}\n`;
}
