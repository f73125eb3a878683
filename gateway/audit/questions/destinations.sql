-- Who sent which class of data to which provider and region?
SELECT tenant, application, category, provider, region, hosting,
    count(DISTINCT exchange_id) AS exchanges, CAST(sum(count) AS bigint) AS found
FROM finding
WHERE direction = 'request' AND detector <> 'gateway'
    AND ts_ms >= :since_ms AND ts_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
GROUP BY tenant, application, category, provider, region, hosting
ORDER BY exchanges DESC, tenant, application, category, provider, region, hosting
