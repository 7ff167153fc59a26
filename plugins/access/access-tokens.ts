import { SignJWT, errors, jwtVerify } from 'jose'

export const accessTokenSeconds = 900

export interface AccessClaims {
  userId: string
  partnerId: string
  sessionId: string
}

/** Signs the access token (a JWT, HS256) of a session. It expires after 15 minutes. */
export const signAccessToken = async (key: Buffer, claims: AccessClaims, now: Date): Promise<string> => {
  const issuedAt = Math.floor(now.getTime() / 1000)
  return await new SignJWT({ partner_id: claims.partnerId, sid: claims.sessionId })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(claims.userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .sign(key)
}

/** Returns the claims of an access token; undefined when the token is invalid or expired. */
export const readAccessToken = async (key: Buffer, token: string, now: Date): Promise<AccessClaims | undefined> => {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      currentDate: now,
      requiredClaims: ['exp', 'sub', 'sid', 'partner_id']
    })
    return { userId: String(payload.sub), partnerId: String(payload.partner_id), sessionId: String(payload.sid) }
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}
