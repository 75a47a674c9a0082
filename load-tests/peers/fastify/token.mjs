// Access tokens as gelombang's: JWT (RFC 7519) signed with HMAC-SHA-256.

import { createHmac, timingSafeEqual } from 'node:crypto';

const headerPart = Buffer.from('{"alg":"HS256","typ":"JWT","kid":"1"}').toString('base64url');
const tokenBytesMax = 1024;
const applicantPattern = /^[0-9a-f]{16}$/;

export function mint(key, applicant, now) {
  const claims = { sub: applicant, sid: 1, roles: ['applicant'], iat: now, exp: now + 86400 };
  const signed = `${headerPart}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/// The applicant (16 hex digits) whose token stands in an Authorization header, or null.
export function applicantOf(authorization, key) {
  if (!authorization?.startsWith('Bearer ') || authorization.length > tokenBytesMax) return null;
  const end = authorization.lastIndexOf('.');
  if (!authorization.startsWith(headerPart, 7) || end <= 7 + headerPart.length) return null;
  const given = Buffer.from(authorization.slice(end + 1), 'base64url');
  const expected = createHmac('sha256', key).update(authorization.slice(7, end)).digest();
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const claims = JSON.parse(Buffer.from(authorization.slice(8 + headerPart.length, end), 'base64url'));
  if (claims.exp <= Date.now() / 1000 || !claims.roles.includes('applicant')) return null;
  return applicantPattern.test(claims.sub) ? claims.sub : null;
}
