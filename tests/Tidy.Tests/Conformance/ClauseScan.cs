using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Trunkline.Clauses;

namespace Trunkline.Tidy.Tests.Conformance;

/// <summary>Reads the Clause attributes of a test assembly from its metadata: nothing is loaded and nothing runs.</summary>
internal sealed class ClauseScan
{
    private readonly MetadataReader _reader;
    private readonly string _project;
    private readonly List<ClauseUse> _uses = [];

    private ClauseScan(MetadataReader reader, string project)
    {
        _reader = reader;
        _project = project;
    }

    /// <summary>The folder names of all test projects.</summary>
    public static IReadOnlyList<string> Projects { get; } =
        [.. Repository.Files("tests", "*.Tests.csproj").Select(file => Path.GetFileNameWithoutExtension(file))];

    /// <summary>Where a test project's assembly stands in the configuration that runs now.</summary>
    public static string AssemblyPath(string project) =>
        $"tests/{project}/bin/{Repository.Configuration}/net10.0/Trunkline.{project}.dll";

    /// <summary>The clauses of every test assembly that is built.</summary>
    public static IReadOnlyList<ClauseUse> ReadAll() =>
        [.. Projects.Where(project => File.Exists(Repository.FullPath(AssemblyPath(project)))).SelectMany(Read)];

    private static List<ClauseUse> Read(string project)
    {
        using var file = File.OpenRead(Repository.FullPath(AssemblyPath(project)));
        using var image = new PEReader(file);
        var scan = new ClauseScan(image.GetMetadataReader(), project);
        foreach (var handle in scan._reader.TypeDefinitions)
        {
            scan.ReadType(scan._reader.GetTypeDefinition(handle));
        }

        return scan._uses;
    }

    private void ReadType(TypeDefinition type)
    {
        var name = NameOf(type);
        var methods = type.GetMethods().Select(_reader.GetMethodDefinition).ToList();
        Collect(type.GetCustomAttributes(), name, methods.Exists(IsRunningTest));
        foreach (var method in methods)
        {
            Collect(method.GetCustomAttributes(), $"{name}.{_reader.GetString(method.Name)}", IsRunningTest(method));
        }
    }

    private void Collect(CustomAttributeHandleCollection attributes, string name, bool runs)
    {
        foreach (var attribute in attributes.Select(_reader.GetCustomAttribute))
        {
            if (TypeNameOf(attribute) != nameof(ClauseAttribute))
            {
                continue;
            }

            // ClauseAttribute(Specification specification, params string[] identifiers)
            var arguments = attribute.DecodeValue(AttributeTypes.Instance).FixedArguments;
            var specification = (Specification)(int)arguments[0].Value!;
            var identifiers = (IEnumerable<CustomAttributeTypedArgument<string>>)arguments[1].Value!;
            _uses.AddRange(identifiers.Select(identifier =>
                new ClauseUse(specification, (string?)identifier.Value ?? "", _project, name, runs)));
        }
    }

    // Fact, Theory, and attributes of ours derived from them, whose names keep the ending.
    private bool IsRunningTest(MethodDefinition method)
    {
        foreach (var attribute in method.GetCustomAttributes().Select(_reader.GetCustomAttribute))
        {
            var name = TypeNameOf(attribute);
            if (name.EndsWith("FactAttribute", StringComparison.Ordinal) || name.EndsWith("TheoryAttribute", StringComparison.Ordinal))
            {
                return !attribute.DecodeValue(AttributeTypes.Instance).NamedArguments
                    .Any(argument => argument is { Name: "Skip", Value: not null });
            }
        }

        return false;
    }

    private string NameOf(TypeDefinition type)
    {
        var name = _reader.GetString(type.Name);
        var outer = type.GetDeclaringType();
        return outer.IsNil ? name : $"{NameOf(_reader.GetTypeDefinition(outer))}.{name}";
    }

    private string TypeNameOf(CustomAttribute attribute)
    {
        if (attribute.Constructor.Kind == HandleKind.MethodDefinition)
        {
            var constructor = _reader.GetMethodDefinition((MethodDefinitionHandle)attribute.Constructor);
            return _reader.GetString(_reader.GetTypeDefinition(constructor.GetDeclaringType()).Name);
        }

        var parent = _reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
        return parent.Kind == HandleKind.TypeReference
            ? _reader.GetString(_reader.GetTypeReference((TypeReferenceHandle)parent).Name)
            : "";
    }

    /// <summary>Names the types of attribute arguments; every enum of attributes we read is an int.</summary>
    private sealed class AttributeTypes : ICustomAttributeTypeProvider<string>
    {
        public static readonly AttributeTypes Instance = new();

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSystemType() => "System.Type";

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
            reader.GetString(reader.GetTypeDefinition(handle).Name);

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
            reader.GetString(reader.GetTypeReference(handle).Name);

        public string GetTypeFromSerializedName(string name) => name;

        public PrimitiveTypeCode GetUnderlyingEnumType(string type) => PrimitiveTypeCode.Int32;

        public bool IsSystemType(string type) => type is "System.Type" or "Type";
    }
}
