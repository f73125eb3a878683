{{- define "gateway.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "gateway.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* What every container of ours needs to reach its data. */ -}}
{{- define "gateway.dataEnv" -}}
- name: GATEWAY_DATA
  value: /var/lib/gateway
{{- if include "gateway.shared" . }}
- name: GATEWAY_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret.name }}
      key: {{ .Values.database.existingSecret.key }}
{{- end }}
{{- end -}}

{{- /* A setting as text. Numbers go through JSON, since Helm reads them as floats
       and would write 1048576 as 1.048576e+06. */ -}}
{{- define "gateway.envValue" -}}
{{- if kindIs "string" . -}}{{ quote . }}{{- else -}}{{ toJson . | quote }}{{- end -}}
{{- end -}}

{{- /* The text of one policy file; a mapping is written as YAML. */ -}}
{{- define "gateway.fileText" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toYaml . }}{{- end -}}
{{- end -}}
