-- What concerns one person, or each of them, by reference?
SELECT ts_ms, subject, kind, exchange_id, tenant, application, key_id, model, provider, outcome
FROM concern
WHERE :subject <> '' AND subject = :subject
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
UNION ALL
SELECT ts_ms, subject, kind, exchange_id, tenant, application, key_id, model, provider, outcome
FROM concern
WHERE :subject = ''
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
ORDER BY ts_ms, exchange_id, kind, subject
