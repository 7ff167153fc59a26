import assert from 'node:assert/strict'
import { test } from 'tap'
import { merchantName } from '../../../modules/insights/merchant-name.ts'

const haveOneName = (...descriptions: string[]): void => {
  const names = new Set(descriptions.map(merchantName))
  assert.equal(names.size, 1, [...names].join(' | '))
}

test('a name survives dates, months, references and store numbers in English', async () => {
  haveOneName('NETFLIX.COM 866-579', 'Netflix.com 12/03', 'NETFLIX.COM JANUARY', 'netflix.com')
  haveOneName('RENT MARCH 2026', 'Rent April 2026', 'RENT 05/26')
  haveOneName('STARBUCKS STORE 10234 SEATTLE WA', 'STARBUCKS STORE 88 NEW YORK NY', 'Starbucks')
  haveOneName('CITY POWER & LIGHT WEB PMT HKTQZWX', 'CITY POWER & LIGHT WEB PMT 4K2MMZ1')
  haveOneName('KROGER #412 DAYTON OH', 'KROGER #9 AKRON OH')
  haveOneName('ACME PAYROLL PPD ID: 4411', 'ACME PAYROLL PPD ID: 9023 JAN')
})

test('a name survives months, dates, references and branches in German', async () => {
  haveOneName('Miete März 2026 Hausverwaltung Krause', 'MIETE APRIL 2026 HAUSVERWALTUNG KRAUSE')
  haveOneName('Miete Jänner Krause', 'Miete Februar Krause', 'Miete Maerz Krause')
  haveOneName('SEPA-Lastschrift STADTWERKE MÜNCHEN Abschlag 10/2025', 'Lastschrift Stadtwerke München Abschlag Nov.')
  haveOneName(
    'Allianz Versicherung Beitrag Q1 Vertragsnr. AS-12345',
    'ALLIANZ VERSICHERUNG BEITRAG Q2 VERTRAGSNR AS-12345'
  )
  haveOneName('REWE MARKT 1123 BERLIN', 'REWE MARKT 77 KÖLN')
})

test('a name survives months, dates, references and branches in Spanish', async () => {
  haveOneName('RECIBO IBERDROLA ENERO 2026', 'Recibo Iberdrola febrero 2026', 'IBERDROLA MARZO')
  haveOneName('ALQUILER SEPTIEMBRE GARCIA', 'Alquiler setiembre García', 'ALQUILER DICIEMBRE GARCIA')
  haveOneName('ADEUDO MAPFRE SEGUROS REF 0049123', 'ADEUDO MAPFRE SEGUROS REF 0049777 TRIMESTRE 2')
  haveOneName('MERCADONA TIENDA 2231 VALENCIA', 'MERCADONA TIENDA 4 MADRID')
})

test('different merchants keep different names, and no text is without one', async () => {
  const names = [
    'City Rentals',
    'City Power',
    'Maria Lopez',
    'Maria Huber',
    '7-ELEVEN 22',
    'SQ *LUCKY NOODLE',
    'Miete',
    'Alquiler'
  ]
  assert.equal(new Set(names.map(merchantName)).size, names.length)
  for (const text of ['***', '12/03', 'MAY 2026', 'ACH DEBIT', '写真 東京', 'March'])
    assert.notEqual(merchantName(text), '')
})
