export function text(): string {
  return `# Upgrading a fleet

First the mesh, then the verifiers, then the machines that issue passports: each version understands the one before it.

# What to look at
  aip mesh status        names verifiers of an older version; they hear of no passport
  aip doctor             says the same of this machine's mesh

# Why in this order
A verifier of the first version takes an event that it does not know for a revocation. So passports are told only to those who ask for
them; the others see revocations, suspensions and reinstatements alone, and go on behind the rest by the snapshot.
While one of them is on the roster, publish and update refuse to hand a passport to the mesh: what is narrowed would stay wide there.
--force says that it is meant.

# On each machine
1. aip mesh backup <file>, where the mesh is served.
2. Stop aip mesh serve, upgrade, start it. Its file is brought to the new form; earlier versions refuse it from then on.
3. Stop aip mesh follow, upgrade, start it; then programs that use the library.
4. aip mesh status until no older one is named; then the machines that issue.
`;
}
